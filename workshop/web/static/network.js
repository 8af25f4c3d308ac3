// The picture of the chosen network, which is drawn when the person asks for it.

import { NO_ANSWER } from "./files.js";

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
  const text = answer ? await answer.text() : NO_ANSWER;
  if (entry.id !== id) return;
  said.textContent = answer?.ok ? "" : text;
  if (!answer?.ok) return;
  picture.alt = `${words(text, "title")}. ${words(text, "desc")}`;
  picture.src = address;
  picture.hidden = false;
}

// What stands in an element of the picture. Parsing all of it would apply its styles to the page.
function words(svg, name) {
  const escaped = svg.match(new RegExp(`<${name}[^>]*>([^<]*)`))[1];
  return escaped.replace(/&(lt|gt|amp);/g, (_, sign) => ({ lt: "<", gt: ">", amp: "&" })[sign]);
}

box.addEventListener("toggle", () => {
  if (box.open && picture.hidden && entry) draw();
});
