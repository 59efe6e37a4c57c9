/** Returns the text of a page without its tags, in linear time: a device may send thousands of `<` without `>`. */
export function visibleText(page: string): string {
  return page.replace(/<[^<>]*>/g, ' ');
}
