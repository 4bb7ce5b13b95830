// SPDX-License-Identifier: Apache-2.0
// Small comforts for Moat's own pages. Every form works without this script.
'use strict';

// The set-up code arrives in the fragment, which no server and no log sees. It moves into the form,
// and out of the address bar and the history.
const token = document.querySelector('[data-from-fragment]');
if (token && location.hash.length > 1) {
  token.value = location.hash.slice(1).replace(/^(?:t|token)=/, '');
  history.replaceState(null, '', location.pathname + location.search);
  const next = document.getElementById('email');
  if (next) next.focus();
}

for (const button of document.querySelectorAll('[data-show]')) {
  const field = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = field.type === 'password';
    field.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
    button.textContent = shown ? 'Hide' : 'Show';
    field.focus();
  });
  // A password left in the clear would be offered again as ordinary text.
  if (field.form) field.form.addEventListener('submit', () => { field.type = 'password'; });
}

// How many characters are missing, counted as the server counts them: code points.
for (const place of document.querySelectorAll('[data-left]')) {
  const field = document.getElementById(place.dataset.left);
  const least = Number(field.dataset.least) || 0;
  field.addEventListener('input', () => {
    const length = [...field.value].length;
    const missing = least - length;
    place.textContent = length === 0 ? '' : missing > 0 ? `${missing} to go.` : 'Long enough.';
  });
}

const error = document.querySelector('[data-focus]');
if (error) error.focus();
