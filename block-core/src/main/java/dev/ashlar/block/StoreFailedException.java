package dev.ashlar.block;

/**
 * The storage under the store failed with an I/O error, in this call or an earlier one. The store
 * takes nothing more: after a failed write or sync nothing that is read back can be trusted until
 * it has been checked. Close it, check the device, open again.
 */
public final class StoreFailedException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final boolean outcomeUnknown;

  /**
   * @param message what failed
   * @param cause what reported it
   * @param outcomeUnknown whether a write that was under way may have become durable
   */
  public StoreFailedException(String message, Throwable cause, boolean outcomeUnknown) {
    super(message, cause);
    this.outcomeUnknown = outcomeUnknown;
  }

  @Override
  public boolean outcomeUnknown() {
    return outcomeUnknown;
  }
}
