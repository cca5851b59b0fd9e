package dev.ashlar.block;

/** What is on disk is of a format that this version does not know, or damaged. */
public sealed class StoreFormatException extends BlockException permits StoreDamagedException {

  private static final long serialVersionUID = 1L;

  /** Says what was found and what would be understood. */
  public StoreFormatException(String message) {
    super(message);
  }
}
