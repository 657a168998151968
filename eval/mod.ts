/**
 * Language models on tfjs and how they are measured.
 *
 * @module
 */
export {};
