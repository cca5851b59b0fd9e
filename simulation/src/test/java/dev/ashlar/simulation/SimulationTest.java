package dev.ashlar.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {

  private static final int SEEDS = Integer.getInteger("ashlar.seeds", 300);

  @Test
  void noSeedViolatesAnything() {
    String given = System.getProperty("ashlar.seed", "");
    long first = given.isEmpty() ? new Random().nextInt(Integer.MAX_VALUE) : Long.parseLong(given);
    long last = given.isEmpty() ? first + SEEDS : first + 1;
    long operations = 0;
    for (long seed = first; seed < last; seed++) {
      try {
        operations += new Simulation(seed, line -> {}).run().operations();
      } catch (RuntimeException | AssertionError e) {
        fail("replay with -Dashlar.seed=" + seed + ", or simulation.jar --seed " + seed, e);
      }
    }
    assertThat(operations).isPositive();
  }

  /**
   * An entry and its truncation shared a transaction, so that it was acknowledged and never there.
   */
  @Test
  void anEntryIsOnTheDiskBeforeItIsAcknowledgedAlsoWhenItIsCutAtOnce() {
    assertThat(new Simulation(2_008_563, line -> {}).run().operations()).isPositive();
  }

  /** A row that an install had taken rotted, was taken again, and counted twice. */
  @Test
  void anInstallIsCompleteAlthoughARowOfItRots() {
    assertThat(new Simulation(916_675_729, line -> {}).run().operations()).isPositive();
  }

  /**
   * A damaged header of the heap could not be decided about at first, and was not looked at again.
   */
  @Test
  void whatWasLookedIntoInVainIsLookedIntoAgain() {
    assertThat(new Simulation(200_700_167, line -> {}).run().operations()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 40, 240, 348})
  void twoRunsOfASeedGiveTheSameTrace(long seed) {
    List<String> first = new ArrayList<>();
    List<String> second = new ArrayList<>();

    Simulation.Result one = new Simulation(seed, first::add).run();
    Simulation.Result other = new Simulation(seed, second::add).run();

    assertThat(second).isEqualTo(first);
    assertThat(other).isEqualTo(one);
  }
}
