/** Browser script of all pages with a log-in. Without the script, times are exact in UTC only, and texts have no button to copy them. */
export const pageScript = `'use strict';
(() => {
  // The server does not know the time zone of the browser. The listener also covers times that a live update has replaced.
  document.addEventListener('pointerover', ({ target }) => {
    const time = target.closest('time[datetime]');
    if (time === null) return;
    const isToMinute = time.dateTime.length === 17;
    const style = { dateStyle: 'medium', timeStyle: isToMinute ? 'short' : 'medium' };
    time.title = new Date(time.dateTime).toLocaleString(undefined, style);
  });
  // Browsers permit access to the clipboard only over HTTPS and on this machine; otherwise, the text is selected.
  const copy = async ({ target }) => {
    const text = document.getElementById(target.dataset.copy);
    getSelection().selectAllChildren(text);
    await navigator.clipboard?.writeText(text.textContent.trim());
    target.textContent = navigator.clipboard ? 'Copied' : 'Selected';
  };
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', copy);
  }
})();
`;
