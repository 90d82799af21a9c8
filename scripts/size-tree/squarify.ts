/** Squarified tree maps (Bruls, Huizing, van Wijk 2000): rectangles of given areas, as square as rows allow. Pure. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One rectangle for each weight, in their order; weights must not be negative and are best sorted from large to small. */
export function squarify(weights: readonly number[], room: Rectangle): Rectangle[] {
  const total = weights.reduce((sum, one) => sum + one, 0);
  if (total <= 0) return weights.map(() => ({ ...room, width: 0, height: 0 }));
  const areas = weights.map((one) => (one / total) * room.width * room.height);
  const placed: Rectangle[] = [];
  let left = room;
  for (let first = 0; first < areas.length; ) {
    const side = Math.min(left.width, left.height);
    let end = first + 1;
    while (end < areas.length && worst(areas.slice(first, end + 1), side) <= worst(areas.slice(first, end), side))
      end += 1;
    const row = areas.slice(first, end);
    placed.push(...layRow(row, left));
    left = without(left, sum(row));
    first = end;
  }
  return placed;
}

const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);

/** The longest side ratio in a row along `side`. */
function worst(row: readonly number[], side: number): number {
  const total = sum(row);
  if (total === 0 || side === 0) return Number.POSITIVE_INFINITY;
  return Math.max(
    ...row.map((one) => Math.max((side * side * one) / (total * total), (total * total) / (side * side * one))),
  );
}

function layRow(row: readonly number[], room: Rectangle): Rectangle[] {
  const total = sum(row);
  const upright = room.width >= room.height;
  const thickness = total / (upright ? room.height : room.width) || 0;
  let at = 0;
  return row.map((area) => {
    const length = area / thickness || 0;
    const one = upright
      ? { x: room.x, y: room.y + at, width: thickness, height: length }
      : { x: room.x + at, y: room.y, width: length, height: thickness };
    at += length;
    return one;
  });
}

function without(room: Rectangle, area: number): Rectangle {
  if (room.width >= room.height) {
    const used = area / room.height || 0;
    return { ...room, x: room.x + used, width: Math.max(0, room.width - used) };
  }
  const used = area / room.width || 0;
  return { ...room, y: room.y + used, height: Math.max(0, room.height - used) };
}
