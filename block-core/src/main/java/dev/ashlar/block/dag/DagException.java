package dev.ashlar.block.dag;

import dev.ashlar.block.Cid;

/** A path or a walk cannot go on. */
public abstract sealed class DagException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private DagException(String message) {
    super(message);
  }

  /** A block on the way is not there. */
  public static final class MissingBlock extends DagException {

    private static final long serialVersionUID = 1L;

    private final transient Cid cid;

    MissingBlock(Cid cid) {
      super("block " + cid + " is not here");
      this.cid = cid;
    }

    /** Which one. */
    public Cid cid() {
      return cid;
    }
  }

  /** A name of a path leads nowhere. */
  public static final class NoSuchSegment extends DagException {

    private static final long serialVersionUID = 1L;

    NoSuchSegment(String segment, Cid in) {
      super("there is nothing named '" + segment + "' in " + in);
    }
  }

  /** There is more than may be walked. */
  public static final class TooLarge extends DagException {

    private static final long serialVersionUID = 1L;

    /**
     * @param what of what there is too much
     * @param max how much may be
     */
    public TooLarge(String what, long max) {
      super("the DAG has more than " + max + " " + what + ": ask for parts of it");
    }
  }
}
