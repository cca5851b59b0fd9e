package dev.ashlar.block;

/** What is on disk is of a format that this version does not know, or is damaged at its root. */
public final class StoreFormatException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** Says what was found and what would be understood. */
  public StoreFormatException(String message) {
    super(message);
  }
}
