// What could be wrong with the module: each of its comparisons, sums, constants, conditions and offsets,
// changed a little.

import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';

/**
 * For an operator the ones that are easily taken for it, by the names that binaryen has for them. Signed for
 * unsigned is one only where a difference is compared, which may be negative: no address or size in the
 * module is 2^31 or more. Bits that are put together have none in common, so that Xor for Or is no mistake.
 */
const NEIGHBOURS = {
  Eq: ['Ne'],
  Ne: ['Eq'],
  LtU: ['LeU', 'GeU', 'LtS'],
  LeU: ['LtU', 'GtU', 'LeS'],
  GtU: ['GeU', 'LeU', 'GtS'],
  GeU: ['GtU', 'LtU', 'GeS'],
  LtS: ['LeS', 'GeS', 'LtU'],
  LeS: ['LtS', 'GtS', 'LeU'],
  GtS: ['GeS', 'LeS', 'GtU'],
  GeS: ['GtS', 'LtS', 'GeU'],
  Add: ['Sub'],
  Sub: ['Add'],
  Mul: ['Add'],
  And: ['Or'],
  Or: ['And'],
  Xor: ['And'],
  Shl: ['ShrU'],
  ShrU: ['Shl'],
  ShrS: ['Shl'],
};
const NAMES = Object.keys(NEIGHBOURS);

/** By operator: `[its name, [name, operator] of each neighbour]`. */
const OPERATORS = new Map();
for (const type of ['Int32', 'Int64']) {
  for (const name of NAMES) {
    const others = NEIGHBOURS[name].map((other) => [other, binaryen[other + type]]);
    OPERATORS.set(binaryen[name + type], [name, others]);
  }
}
OPERATORS.set(binaryen.NeFloat64, ['Ne', [['Eq', binaryen.EqFloat64]]]);
OPERATORS.set(binaryen.EqFloat64, ['Eq', [['Ne', binaryen.NeFloat64]]]);

/**
 * Every mutant of the module in `wasm`, whose functions have their names in `wat`. Each has a `key` that
 * stays as long as its function does, tells what it changes, and makes its `bytes`.
 */
export function mutantsOf(wasm, wat) {
  const module = binaryen.readBinary(readFileSync(wasm));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from(readFileSync(wat, 'utf8').matchAll(/^ \(func \$(\S+)/gm), ([, name]) => {
    return name.replace(/^assembly\//, '');
  });
  const mutants = [];
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const name = names[index] ?? `function ${index}`;
    let ordinal = 0;
    const { body } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    walk(body, {}, (expression, place) => {
      const where = `${name} ${ordinal++}`;
      for (const [what, apply, undo] of changes(module, expression, place)) {
        const text = binaryen.emitText(expression).replace(/\s+/g, ' ').slice(0, 160);
        const bytes = () => {
          apply();
          const made = module.emitBinary();
          undo();
          return made;
        };
        mutants.push({ key: `${where} ${what}`, text, bytes });
      }
    });
  }
  return mutants;
}

/**
 * `expression` and those below it, each with where it stands: `replace` puts another in its place, if it is
 * one of those that stand by themselves, and of what is a `truth` it only matters whether it is 0.
 */
function walk(expression, place, visit) {
  visit(expression, place);
  for (const [child, replace, field] of childrenOf(expression)) {
    walk(child, { replace, truth: isTruth(expression, field, place.truth) }, visit);
  }
}

/** Is it only looked at whether this part of `expression` is 0, which is a `truth` itself, or none? */
function isTruth(expression, field, truth = false) {
  if (field === 'condition') return true;
  if (field === 'ifTrue' || field === 'ifFalse') return truth;
  const isUnary = binaryen.getExpressionId(expression) === binaryen.UnaryId;
  return isUnary && binaryen.Unary.getOp(expression) === binaryen.EqZInt32;
}

/** Nothing is below these. */
const LEAVES = [binaryen.ConstId, binaryen.NopId, binaryen.UnreachableId, binaryen.MemorySizeId];

function childrenOf(expression) {
  const id = binaryen.getExpressionId(expression);
  if (LEAVES.includes(id)) return [];
  const info = binaryen.getExpressionInfo(expression);
  const { Block, If, Loop } = binaryen;
  const setters = {
    ...(id === binaryen.IfId && { ifTrue: If.setIfTrue, ifFalse: If.setIfFalse }),
    ...(id === binaryen.LoopId && { body: Loop.setBody }),
  };
  const one = ['condition', 'ifTrue', 'ifFalse', 'body', 'value', 'ptr', 'left', 'right', 'delta'];
  const more = ['dest', 'source', 'size'];
  const by = (set) => set && ((other) => set(expression, other));
  return [
    ...[...one, ...more].map((field) => [info[field], by(setters[field]), field]),
    ...(info.children ?? []).map((child, i) => [
      child,
      (other) => Block.setChildAt(expression, i, other),
    ]),
    ...(info.operands ?? []).map((child) => [child]),
  ].filter(([child]) => typeof child === 'number' && child > 0);
}

function isSub(expression) {
  if (binaryen.getExpressionId(expression) !== binaryen.BinaryId) return false;
  return [binaryen.SubInt32, binaryen.SubInt64].includes(binaryen.Binary.getOp(expression));
}

/** `[what, apply, undo]` of each change that an expression can have. */
function* changes(module, expression, { replace, truth }) {
  const id = binaryen.getExpressionId(expression);
  const set = (owner, field, before, after) => [
    () => owner[`set${field}`](expression, after),
    () => owner[`set${field}`](expression, before),
  ];
  const conditions = function* (owner) {
    const before = owner.getCondition(expression);
    if (!before) return;
    const instead = (after) => set(owner, 'Condition', before, after);
    yield ['not', ...instead(module.i32.eqz(before))];
    yield ['always', ...instead(module.i32.const(1))];
    yield ['never', ...instead(module.i32.const(0))];
  };
  const { Binary, Const, If, Break, Select, Load, Store } = binaryen;
  if (id === binaryen.BinaryId) {
    const op = Binary.getOp(expression);
    const [from, others] = OPERATORS.get(op) ?? ['', []];
    const isDifference = isSub(Binary.getLeft(expression)) || isSub(Binary.getRight(expression));
    for (const [name, other] of others) {
      const isSign = from.slice(0, -1) === name.slice(0, -1);
      if (isSign && !isDifference) continue;
      yield [`${from} to ${name}`, ...set(Binary, 'Op', op, other)];
    }
  } else if (id === binaryen.ConstId) {
    const field = { [binaryen.i32]: 'ValueI32', [binaryen.i64]: 'ValueI64' }[
      binaryen.getExpressionType(expression)
    ];
    if (field === undefined) return;
    const value = Const[`get${field}`](expression);
    const one = typeof value === 'bigint' ? 1n : 1;
    const zero = typeof value === 'bigint' ? 0n : 0;
    // Of a mask over eight bytes one more or less is no mistake that anybody makes.
    const isMask = typeof value === 'bigint' && BigInt.asUintN(64, value) > 0xffffffffn;
    const near = isMask ? [zero] : [value + one, value - one, zero];
    for (const after of new Set(truth ? [value === zero ? one : zero] : near)) {
      if (after !== value) yield [`${value} to ${after}`, ...set(Const, field, value, after)];
    }
  } else if (id === binaryen.IfId) yield* conditions(If);
  else if (id === binaryen.BreakId) yield* conditions(Break);
  else if (id === binaryen.SelectId) {
    const before = Select.getCondition(expression);
    yield ['swapped', ...set(Select, 'Condition', before, module.i32.eqz(before))];
  } else if (id === binaryen.LoadId || id === binaryen.StoreId) {
    const owner = id === binaryen.LoadId ? Load : Store;
    const offset = owner.getOffset(expression);
    yield ['one further', ...set(owner, 'Offset', offset, offset + 1)];
    const bytes = owner.getBytes(expression);
    const align = owner.getAlign(expression);
    const width = (size, alignment) => () => {
      owner.setBytes(expression, size);
      owner.setAlign(expression, alignment);
    };
    const other = bytes === 1 ? 2 : bytes / 2;
    const type = id === binaryen.LoadId ? expression : Store.getValue(expression);
    // A double has one width only.
    if (binaryen.getExpressionType(type) !== binaryen.f64) {
      yield [`${bytes} bytes to ${other}`, width(other, 1), width(bytes, align)];
    }
    if (id === binaryen.StoreId && replace) {
      const parts = [Store.getPtr(expression), Store.getValue(expression)];
      const dropped = module.block(
        null,
        parts.map((part) => module.drop(part)),
      );
      yield ['dropped', () => replace(dropped), () => replace(expression)];
    }
  }
}

/** The keys in `known` that none of `mutants` has: a function that has changed has its mutants elsewhere. */
export function staleOf(known, mutants) {
  const keys = new Set(mutants.map(({ key }) => key));
  return Object.keys(known).filter((key) => !keys.has(key));
}
