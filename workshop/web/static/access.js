// MIDI devices that are connected to the computer.

// Let a button ask for them: listen(access) is called with those that there are, and again when that has changed; `status`
// says what is wrong. `what` is what the button asks for.
export function askForMidi(button, status, what, listen) {
  if (!navigator.requestMIDIAccess) {
    button.disabled = true;
    const where = window.isSecureContext ? "This browser" : "At this address the browser";
    status.textContent = `${where} knows no ${what}${window.isSecureContext ? "." : ": https and localhost do."}`;
    return;
  }
  button.addEventListener("click", async () => {
    try {
      const access = await navigator.requestMIDIAccess();
      access.onstatechange = () => listen(access);
      listen(access);
    } catch (error) {
      status.textContent = `No ${what} can be used: ${error.message}.`;
    }
  });
}
