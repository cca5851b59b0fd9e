package dev.ashlar.block.root;

/** What a root leads to cannot be found out, so that nothing can be told to be garbage. */
public final class UnwalkableRootException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  UnwalkableRootException(String root, RuntimeException why) {
    super(
        "what "
            + root
            + " leads to cannot be told, so nothing can be told to be garbage: remove it ("
            + why.getMessage()
            + ")",
        why);
  }
}
