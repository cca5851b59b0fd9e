package dev.ashlar.simulation;

/** A property that must always hold did not. */
public final class Violation extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * @param property which one
   * @param what what was seen
   */
  public Violation(String property, String what) {
    super(property + ": " + what);
  }
}
