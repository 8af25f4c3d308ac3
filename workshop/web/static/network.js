// The picture of the chosen network, which is drawn when the person asks for it.

const box = document.getElementById("network");
const [said, picture] = [box.querySelector(".hint"), box.querySelector("img")];
let entry = null;

// Another experiment has been chosen.
export function showNetwork(chosen) {
  if (chosen.id === entry?.id) return;
  entry = chosen;
  box.hidden = Boolean(entry.problem);
  picture.hidden = true;
  if (box.open) draw();
}

async function draw() {
  const { id } = entry;
  const address = `network.svg?experiment=${encodeURIComponent(id)}`;
  said.textContent = "Getting the network ready …";
  const answer = await fetch(address).catch(() => null);
  const text = answer ? await answer.text() : "The server does not answer.";
  if (entry.id !== id) return;
  said.textContent = answer?.ok ? "" : text;
  if (!answer?.ok) return;
  const parts = new DOMParser().parseFromString(text, "image/svg+xml");
  picture.alt = ["title", "desc"].map((name) => parts.querySelector(name).textContent).join(". ");
  picture.src = address;
  picture.hidden = false;
}

box.addEventListener("toggle", () => {
  if (box.open && picture.hidden && entry) draw();
});
