/** Facts about the revocation list of Secure Boot (dbx), to tell how old a machine's list is. */

/** Releases of Microsoft's x64 revocation list, oldest first, by the dates under which fwupd numbers them. */
export const DBX_RELEASES = ['2014-04-13', '2016-08-09', '2020-07-01', '2021-04-01', '2023-05-01'] as const;
export type DbxRelease = (typeof DBX_RELEASES)[number];

/**
 * Images (Authenticode SHA-256) that each release was the first to revoke and every later one kept, computed from the
 * published updates of 2014, 2020 and 2021 and from lists that machines with the 2016 and 2023 releases measured. Lists
 * are only ever added to on a machine, so one that lacks a mark is older than the release, whatever its length.
 */
export const DBX_MARKS: { readonly [release in DbxRelease]: readonly string[] } = {
  '2014-04-13': [
    '1aec84b84b6c65a51220a9be7181965230210d62d6d33c48999c6b295a2b0a06',
    'f52f83a3fa9cfbd6920f722824dbe4034534d25b8507246b3b957dac6e1bce7a',
  ],
  '2016-08-09': [
    '106faceacfecfd4e303b74f480a08098e2d0802b936f8ec774ce21f31686689c',
    'c90f336617b8e7f983975413c997f10b73eb267fd8a10cb9e3bdbfc667abdb8b',
  ],
  '2020-07-01': [
    '0257ff710f2a16e489b37493c07604a7cda96129d8a8fd68d2b6af633904315d',
    'f48e6dd8718e953b60a24f2cbea60a9521deae67db25425b7d3ace3c517dd9b7',
  ],
  '2021-04-01': [
    '007f4c95125713b112093e21663e2d23e3c1ae9ce4b5de0d58a297332336a2d8',
    'fabc379df395e6f52472b44fa5082f9f0e0da480f05198c66814b7055b03f446',
  ],
  '2023-05-01': [
    '0328f7dd12b552efa7a9e083730333b85f3f4e83d39387fc531863b422f75cc8',
    'ffd7688e7d2b8c3c3140b415e728bbe7663c54e23bd288ff2cf4617835088f39',
  ],
};
