package dev.ashlar.block;

import java.util.OptionalLong;

/** The directory is in use: by another process, or by another store in this one. */
public final class StoreLockedException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final long ownerPid;

  /**
   * @param directory the directory that is in use
   * @param ownerPid the process that uses it, or a negative number where it is not known
   */
  public StoreLockedException(String directory, long ownerPid) {
    super(
        directory
            + " is in use by "
            + (ownerPid < 0
                ? "another process"
                : ownerPid == ProcessHandle.current().pid()
                    ? "another store in this process (pid " + ownerPid + ")"
                    : "the process with pid " + ownerPid)
            + "; stop that one first, or choose another directory");
    this.ownerPid = ownerPid;
  }

  /** The process that uses the directory, where it is known. */
  public OptionalLong ownerPid() {
    return ownerPid < 0 ? OptionalLong.empty() : OptionalLong.of(ownerPid);
  }
}
