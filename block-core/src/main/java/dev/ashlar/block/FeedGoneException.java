package dev.ashlar.block;

/**
 * The effects after an index are not kept any more. Whoever follows takes {@link #index()}, lists
 * the store, drops what the list does not show, and goes on from that index.
 */
public final class FeedGoneException extends BlockException {

  private static final long serialVersionUID = 1;

  private final long index;

  /**
   * @param since where the reader was
   * @param index where it can go on after listing the store
   */
  public FeedGoneException(long since, long index) {
    super(
        "the changes after "
            + since
            + " are not kept any more: list the store anew, and go on after "
            + index);
    this.index = index;
  }

  /** Where to go on after listing the store; taken before the list. */
  public long index() {
    return index;
  }
}
