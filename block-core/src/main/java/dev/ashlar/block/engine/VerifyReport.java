package dev.ashlar.block.engine;

import dev.ashlar.block.Cid;
import java.util.List;

/**
 * What a verification found.
 *
 * @param blocks how many live blocks were read
 * @param bytes how many bytes those have
 * @param damaged live blocks whose row or bytes are damaged, at most {@link #NAMED_MAX} of them
 * @param damagedCount how many there are in all
 * @param findings other things that do not agree, in words: counters, unreferenced bytes, the log
 */
public record VerifyReport(
    long blocks, long bytes, List<Cid> damaged, long damagedCount, List<String> findings) {

  /** How many damaged blocks are named. */
  public static final int NAMED_MAX = 1000;

  /** Copies the lists. */
  public VerifyReport {
    damaged = List.copyOf(damaged);
    findings = List.copyOf(findings);
  }

  /** Whether everything agreed. */
  public boolean isSound() {
    return damagedCount == 0 && findings.isEmpty();
  }
}
