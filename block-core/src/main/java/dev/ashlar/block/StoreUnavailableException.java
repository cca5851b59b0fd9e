package dev.ashlar.block;

/** The store cannot do this now. It was not done; trying again later is right. */
public final class StoreUnavailableException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** Says why. */
  public StoreUnavailableException(String message) {
    super(message);
  }
}
