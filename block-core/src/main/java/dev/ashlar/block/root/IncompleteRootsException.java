package dev.ashlar.block.root;

import dev.ashlar.block.Cid;

/** Roots lead to blocks that are not there, so that what these lead to is not known. */
public final class IncompleteRootsException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  IncompleteRootsException(long count, Cid first) {
    super(
        "pins and references lead to "
            + count
            + " blocks that are not here, such as "
            + first
            + ": put them, or remove those pins and references, or collect with ignore-missing,"
            + " which takes what lies below them for garbage");
  }
}
