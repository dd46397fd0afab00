/** Tidegate without the bytes of its engine: bring your own module. */

export { decodeEffect, faultCode, type Effect } from "./effect.js";
export { NotDurableError, Pump, type Driven } from "./pump.js";
export { MemoryStores } from "./stores/memory.js";
export { Tidegate, type WriteTarget } from "./tidegate.js";
export * from "./types.js";
