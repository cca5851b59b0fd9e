package dev.ashlar.raft.driver;

/**
 * What a member knows beyond the version of the protocol, a bit each; it says so when it introduces
 * itself. What not every member knows is not used, for those could not follow.
 */
public final class Features {

  /** Pins, references, their collection, and their part of a manifest. */
  public static final long ROOTS = 1;

  /** All that this release knows. */
  public static final long ALL = ROOTS;

  private Features() {}
}
