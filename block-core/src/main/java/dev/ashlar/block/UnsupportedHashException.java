package dev.ashlar.block;

/**
 * A hash function, or a digest length of one, that Ashlar does not compute and so cannot verify.
 */
public final class UnsupportedHashException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** Names the function and why it is refused. */
  public UnsupportedHashException(String message) {
    super(message);
  }
}
