// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that no other theme flashes: the chosen one, else the system's.
const system = matchMedia('(prefers-color-scheme: dark)');
function chosen() {
  try {
    return localStorage.getItem('theme');
  } catch {
    return null; // No storage: the system's theme it is.
  }
}
function show() {
  const theme = chosen();
  const known = theme === 'light' || theme === 'dark';
  document.documentElement.dataset.theme = known ? theme : system.matches ? 'dark' : 'light';
}
show();
system.addEventListener('change', show);
