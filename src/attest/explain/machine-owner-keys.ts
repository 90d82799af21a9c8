/** Keys that an owner enrolled into shim: they let kernels and boot loaders run that nobody else signed (register 14). */
import { type Change, named, type Rule } from './change.ts';

const MOK_PCR = 14;
const SECURE_BOOT_PCR = 7;

export const machineOwnerKeysRule: Rule = (pairs, { kind, where }) => {
  const lists = named(pairs, MOK_PCR, /^(shim's |MOK list)/);
  const off = lists.filter(({ after }) => after?.name === "shim's MokSBState");
  const others = lists.filter((pair) => !off.includes(pair));
  const used = named(pairs, SECURE_BOOT_PCR, /^variable Mok/);
  const names = [...new Set(others.map(({ after, before }) => (after ?? before)?.name.replace("shim's ", '') ?? ''))];
  // With the same shim and no enrolled keys the reference values are right, so any other list has some.
  const sameShim = pairs.find(({ pcr, before }) => pcr === 4 && before?.subjects.includes('image'))?.kind === 'same';
  const hadLists = pairs.some(({ pcr, before }) => pcr === MOK_PCR && before !== null);
  const enrolled = others.some(
    (pair) => (pair.kind === 'added' && hadLists) || (kind === 'reference' && sameShim && pair.after !== null),
  );
  return [
    ...(off.length === 0 ? [] : [validationOff(off, where)]),
    ...(others.length + used.length === 0
      ? []
      : [enrolled ? enrolment(others, used, names, where) : listChange(others, used, names, where)]),
  ];
};

type Pairs = ReturnType<typeof named>;

function validationOff(pairs: Pairs, where: string): Change {
  return {
    code: 'MOK_VALIDATION_OFF',
    sentence: `Shim no longer checks what it starts (mokutil --disable-validation); it did ${where}.`,
    remedy: 'Switch it on again on that machine: mokutil --enable-validation, then start again.',
    pairs,
  };
}

function enrolment(lists: Pairs, used: Pairs, names: readonly string[], where: string): Change {
  return {
    code: 'MOK_ENROLLED',
    sentence: `A machine owner key (MOK) was enrolled: ${names.join(', ')} is not as ${where}, so shim starts what its owner signed.`,
    remedy: 'Delete the key on that machine: mokutil --reset, then start again and confirm.',
    pairs: [...lists, ...used],
  };
}

function listChange(lists: Pairs, used: Pairs, names: readonly string[], where: string): Change {
  const subject = names.length === 0 ? 'the use of them' : names.join(', ');
  return {
    code: 'MOK_LIST_CHANGED',
    sentence: `Machine owner keys (MOK) were enrolled or deleted, or another shim was used: ${subject} is not as ${where}.`,
    remedy: "Ask the machine's owner; mokutil --list-enrolled shows the keys on that machine.",
    pairs: [...lists, ...used],
  };
}
