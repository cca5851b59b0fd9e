package dev.ashlar.block;

/** The write may have been done. A put may be tried again; see the store for what that means. */
public final class UnknownOutcomeException extends BlockException {

  private static final long serialVersionUID = 1L;

  /** With what to do about it. */
  public UnknownOutcomeException(String message) {
    super(message);
  }

  /** Says why it is not known. */
  public UnknownOutcomeException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public boolean outcomeUnknown() {
    return true;
  }
}
