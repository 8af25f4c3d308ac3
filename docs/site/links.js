// Links to the workshop's servers follow the ports that they have here, and the computer that the page comes from.
// The server of the site says the ports in ports.json; a page that was opened as a file keeps its links.
"use strict";

function followPorts(ports) {
  for (const link of document.querySelectorAll('a[href^="http://localhost:"]')) {
    const address = new URL(link.href);
    if (!(address.port in ports)) continue;
    const written = `${address.hostname}:${address.port}`;
    address.hostname = location.hostname;
    address.port = ports[address.port];
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
