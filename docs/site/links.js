// Links to the workshop's servers follow the ports that they have here, and the computer that the page comes from;
// in a class each has a path. The server of the site says which in ports.json; a page that was opened as a file keeps
// its links.
"use strict";

function followPorts(places) {
  for (const link of document.querySelectorAll('a[href^="http://localhost:"]')) {
    const address = new URL(link.href);
    const place = places[address.port];
    if (place === undefined) continue;
    const written = `${address.hostname}:${address.port}`;
    if (typeof place === "string") {
      link.href = new URL(place, location.href).href;
      link.textContent = link.textContent.replace(`http://${written}`, link.href);
      continue;
    }
    address.hostname = location.hostname;
    address.port = place;
    link.textContent = link.textContent.replace(written, address.host);
    link.href = address.href;
  }
}

if (location.protocol.startsWith("http")) {
  const root = document.documentElement.dataset.content_root || "./";
  fetch(`${root}ports.json`)
    .then((answer) => (answer.ok ? answer.json() : {}))
    .then(followPorts)
    .catch(() => {});
}
