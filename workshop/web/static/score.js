// Tunes in ABC notation as a score, drawn by abcjs, which is loaded when the first tune comes.

const MOST = 12;
let loading = null;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("vendor/abcjs-basic-min.js", import.meta.url);
    script.onload = () => resolve(window.ABCJS);
    script.onerror = () => reject(new Error("abcjs cannot be loaded"));
    document.head.append(script);
  });
  return loading;
}

// Show the first tunes of a text in a box, each as far as it can be read.
export async function showScore(box, text) {
  const { TuneBook, renderAbc } = await load();
  const tunes = new TuneBook(text).tunes.slice(0, MOST);
  const places = tunes.map(() => document.createElement("div"));
  box.replaceChildren(...places);
  box.hidden = false;
  tunes.forEach((tune, number) => renderAbc(places[number], tune.abc, { responsive: "resize", staffwidth: 640 }));
}
