// What a page keeps for as long as its tab is open, apart for each run.

const name = (key) => `tasksieve ${document.querySelector(".run").textContent} ${key}`;

/** Keep a value. A full or forbidden store only means that it is not there later. */
export function keep(key, value) {
  try {
    sessionStorage.setItem(name(key), JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}

/** The value kept, or another if there is none. */
export function recall(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(name(key))) ?? otherwise;
  } catch {
    return otherwise;
  }
}
