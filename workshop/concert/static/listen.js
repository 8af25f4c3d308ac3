// Shows one pair after the other, and sends what is chosen. What the two are called is not known here.

const element = (id) => document.getElementById(id);
const sides = ["first", "second"];
let number = 0;

/** What the server answers, or an error with its sentence. */
async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => null);
  if (!answer?.ok) throw new Error(answer ? await answer.text() : "The server does not answer: try again in a moment.");
  return answer.json();
}

/** One of the two, to hear, see or read. */
function piece(pair, side) {
  if (pair.texts) {
    const text = document.createElement("pre");
    text.textContent = pair.texts[side];
    return text;
  }
  const isSound = pair.kind.startsWith("audio/");
  const made = document.createElement(isSound ? "audio" : "img");
  made.src = `piece/${pair.number}/${side}`;
  const name = "AB"[side];
  if (isSound) {
    made.controls = true;
    made.setAttribute("aria-label", name);
    // One at a time.
    made.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== made) other.pause();
    });
  } else {
    made.alt = name;
  }
  return made;
}

function show(pair) {
  element("title").textContent = pair.title;
  number = pair.number ?? 0;
  element("pair").hidden = !number;
  const done = pair.pairs - pair.left;
  element("progress").textContent = number ? `${done + 1} of ${pair.pairs}` : "That was all. Thank you!";
  if (!number) return;
  element("question").textContent = pair.question;
  sides.forEach((id, side) => element(id).replaceChildren(piece(pair, side)));
}

async function choose(side) {
  try {
    const body = JSON.stringify({ number, side });
    await ask("choose", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    show(await ask("next"));
    element("said").textContent = "";
  } catch (error) {
    element("said").textContent = error.message;
  }
}

sides.forEach((id, side) =>
  element(`choose-${id}`).addEventListener("click", ({ detail }) => {
    // The second click of a double click would be a vote on the next pair, which nobody has heard.
    if (detail < 2) choose(side);
  }),
);
ask("next").then(show, (error) => (element("said").textContent = error.message));
