package dev.ashlar.block;

/**
 * What is on disk is not what was written, beyond single blocks: the store cannot be used as it is.
 * A member of a cluster sets the directory aside and joins anew; a store alone is restored from a
 * backup.
 */
public final class StoreDamagedException extends StoreFormatException {

  private static final long serialVersionUID = 1L;

  /** Says what was found and what to do. */
  public StoreDamagedException(String message) {
    super(message);
  }
}
