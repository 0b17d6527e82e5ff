/** A comparison of types, and an application's own types, for the type tests. */

/** Fails to compile unless both are the same type. */
export declare function same<A, B>(
  ...proof: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]
): void;

export interface Cart {
  readonly items: number;
}
export interface SchoolClaims {
  readonly grade: string;
}
