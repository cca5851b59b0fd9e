package dev.ashlar.block;

/**
 * A typed refusal or failure of Ashlar. The set is closed, so that a program can map every case;
 * each message says what is wrong and what to do about it.
 *
 * <p>A write has three ends. It was <em>done</em> when the call returned; it was <em>not done</em>
 * when {@link #outcomeUnknown()} is false; it <em>may have been done</em> when it is true.
 */
public abstract sealed class BlockException extends RuntimeException
    permits MalformedException,
        UnsupportedHashException,
        HashMismatchException,
        BlockTooLargeException,
        BlockDamagedException,
        NoSpaceException,
        StoreUnavailableException,
        StoreClosedException,
        StoreLockedException,
        StoreFormatException,
        StoreFailedException,
        UnknownOutcomeException,
        FeedGoneException {

  private static final long serialVersionUID = 1L;

  BlockException(String message) {
    super(message);
  }

  BlockException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether the write that threw this may have been done; false means certainly not done. */
  public boolean outcomeUnknown() {
    return false;
  }
}
