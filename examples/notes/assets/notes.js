// Without this script the pages still work: one logs out on the account page then.
'use strict';

const button = document.querySelector('[data-log-out]');
if (button) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await fetch('/auth/logout', {
      method: 'POST',
      headers: {'Content-Type': 'application/json'},
      body: '{}',
    });
    location.assign('/');
  });
}

const clock = document.querySelector('[data-clock]');
if (clock) {
  const events = new EventSource('/events');
  events.addEventListener('message', (event) => { clock.textContent = event.data; });
}
