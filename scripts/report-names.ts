/** Reports that a build publishes beside the ISO: their names in a step's folder and, for the default image, in dist/. */
export const REPORTS = {
  hardware: 'hardware.json',
  hardwarePage: 'hardware.html',
  sizeTree: 'size-tree.json',
} as const;

export type ReportName = keyof typeof REPORTS;
export const reportNames = Object.keys(REPORTS) as ReportName[];
