// SPDX-License-Identifier: Apache-2.0
// What was done, said once.
class Toasts {
  list = $state<{ id: number; text: string; bad: boolean }[]>([]);
  private last = 0;
  say(text: string, bad = false): void {
    const id = ++this.last;
    this.list.push({ id, text, bad });
    setTimeout(() => (this.list = this.list.filter((each) => each.id !== id)), bad ? 8000 : 4000);
  }
}
export const toasts = new Toasts();
