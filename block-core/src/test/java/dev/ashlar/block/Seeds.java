package dev.ashlar.block;

import java.util.Random;

/**
 * The seed of a random test: a new one each time, or the one given with {@code -Dashlar.seed=N}.
 * Tests put it into their failure messages, and that option replays them.
 */
public final class Seeds {

  private Seeds() {}

  /** The seed to use now. */
  public static long next() {
    String fixed = System.getProperty("ashlar.seed", "");
    return fixed.isEmpty() ? new Random().nextLong() : Long.parseLong(fixed);
  }
}
