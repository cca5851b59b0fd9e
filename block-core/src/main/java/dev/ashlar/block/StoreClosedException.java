package dev.ashlar.block;

/** The store has been closed. The call was not done. */
public final class StoreClosedException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** The store has been closed. */
  public StoreClosedException() {
    super("the store is closed; it was not done");
  }
}
