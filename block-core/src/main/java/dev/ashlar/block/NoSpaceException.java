package dev.ashlar.block;

/** No room for a write. It was not done; reads and deletes go on; writes do once there is room. */
public final class NoSpaceException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** Says what is full. */
  public NoSpaceException(String message) {
    super(message);
  }

  /** Says what is full, and keeps what reported it. */
  public NoSpaceException(String message, Throwable cause) {
    super(message, cause);
  }
}
