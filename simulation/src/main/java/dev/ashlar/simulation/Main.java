package dev.ashlar.simulation;

import java.util.Random;

/**
 * Runs seeds: {@code [--from N] [--count N]}, or replays one: {@code --seed N [--trace]}. Ends with
 * status 1 at the first violation, having printed how to replay it.
 */
public final class Main {

  private Main() {}

  /** See the class. */
  public static void main(String[] arguments) {
    long from = new Random().nextInt(Integer.MAX_VALUE);
    long count = 1000;
    boolean trace = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--from" -> from = Long.parseLong(arguments[++i]);
        case "--count" -> count = Long.parseLong(arguments[++i]);
        case "--seed" -> {
          from = Long.parseLong(arguments[++i]);
          count = 1;
        }
        case "--trace" -> trace = true;
        default -> {
          System.err.println("usage: [--from N] [--count N] | --seed N [--trace]");
          System.exit(2);
        }
      }
    }
    boolean traces = trace;
    long began = System.nanoTime();
    long operations = 0;
    long installs = 0;
    for (long seed = from; seed < from + count; seed++) {
      try {
        Simulation.Result result =
            new Simulation(
                    seed,
                    line -> {
                      if (traces) {
                        System.out.println(line);
                      }
                    })
                .run();
        operations += result.operations();
        installs += result.installs();
      } catch (RuntimeException | AssertionError e) {
        System.err.println("seed " + seed);
        e.printStackTrace();
        System.err.println(
            "replay: java -jar simulation/target/simulation.jar --seed " + seed + " --trace");
        System.exit(1);
      }
    }
    System.out.printf(
        "%d seeds from %d: no violation; %d operations, %d installs, %.3f s a seed%n",
        count, from, operations, installs, (System.nanoTime() - began) / 1e9 / count);
  }
}
