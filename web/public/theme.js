// Runs before the first paint, so that the page never flashes in the wrong theme.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('glasshouse.theme');
  } catch {
    // Storage is switched off: the system's theme it is.
  }
  const dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('dark', dark);
})();
