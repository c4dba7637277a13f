/** Row of a node, by bisection: `visible` ascends. -1 when the node is hidden. */
export function rowOf(visible: Int32Array, index: number): number {
  let [low, high] = [0, visible.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (visible[middle] === index) return middle;
    if (visible[middle]! < index) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
