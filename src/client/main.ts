/*
 * The browser script: what it puts together, and nothing else.
 */
export {};
