// What the server has: the listing of experiments and data, and the files of a result, which are downloaded and kept.

export const NO_ANSWER = "The server does not answer.";

export async function listing() {
  const answer = await fetch("listing");
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// The links by which the files of a result are downloaded; named(label) is the label of each for who does not see it.
export function downloadLinks(id, formats, named = (label) => label) {
  return formats.map((suffix) => {
    const link = document.createElement("a");
    Object.assign(link, { href: `made/${id}.${suffix}?download`, download: "", textContent: suffix });
    link.setAttribute("aria-label", named(`Download as ${suffix}`));
    return link;
  });
}

// Keep a result in the folder of its experiment, and say where; the button can be pressed once, or again if it failed.
export async function keep(id, button, said) {
  button.disabled = true;
  const answer = await fetch(`keep/${id}`, { method: "POST" }).catch(() => null);
  if (answer?.ok) said.textContent = `Kept as ${(await answer.json()).files.join(", ")}`;
  else {
    said.textContent = answer ? await answer.text() : NO_ANSWER;
    button.disabled = false;
  }
}
