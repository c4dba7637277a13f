/** Colours of services: a name always has the same colour, on every page and every computer. */

/** How many colours there are; `styles/palette.css` defines `--service-0` … for both themes. */
export const SERVICE_COLOURS = 24;

/** Where hashing begins: a number that gives the services of the usual demo shops colours far from each other. */
const START = 215_524;

/** FNV-1a of the UTF-16 code units, mixed once more so that names with a common start spread. */
function hash(text: string): number {
  let value = START;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}

/** Number of a service's colour. */
export function serviceColour(service: string): number {
  return hash(service) % SERVICE_COLOURS;
}

/** Class that sets `--service` to a service's colour for the element and all in it. */
export function serviceClass(service: string): string {
  return `service-${serviceColour(service)}`;
}
