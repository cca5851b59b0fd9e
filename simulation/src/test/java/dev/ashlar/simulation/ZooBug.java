package dev.ashlar.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A bug that real Raft implementations had, as a patch of this one: a few lines that say what it is
 * and what catches it, and a unified diff.
 *
 * <pre>
 * # what: an entry of an earlier term is committed by counting replicas
 * # seen in: ...
 * # caught by: seed 17
 * # as: CommitSafety
 * </pre>
 *
 * @param file the patch
 * @param what the bug
 * @param seenIn where it was seen, with the paper's or project's own name
 * @param caughtBy {@code seed N}, or {@code test CLASS}
 * @param as the invariant, or the test's method
 * @param hunks what is changed
 */
record ZooBug(Path file, String what, String seenIn, String caughtBy, String as, List<Hunk> hunks) {

  /**
   * Lines of a file that are replaced by others; where they are is found by what they say.
   *
   * @param source the file, from the top of the repository
   */
  record Hunk(String source, String before, String after) {}

  static ZooBug read(Path file) throws IOException {
    List<Hunk> hunks = new ArrayList<>();
    String[] fields = {"", "", "", ""};
    String[] names = {"# what: ", "# seen in: ", "# caught by: ", "# as: "};
    String source = "";
    StringBuilder before = new StringBuilder();
    StringBuilder after = new StringBuilder();
    for (String line : Files.readAllLines(file)) {
      for (int i = 0; i < names.length; i++) {
        if (line.startsWith(names[i])) {
          fields[i] = line.substring(names[i].length());
        }
      }
      if (line.startsWith("+++ b/")) {
        addHunk(hunks, source, before, after);
        source = line.substring("+++ b/".length());
      } else if (line.startsWith("@@")) {
        addHunk(hunks, source, before, after);
      } else if (!source.isEmpty() && line.startsWith("-") && !line.startsWith("--- a/")) {
        before.append(line.substring(1)).append('\n');
      } else if (!source.isEmpty() && line.startsWith("+")) {
        after.append(line.substring(1)).append('\n');
      } else if (!source.isEmpty() && line.startsWith(" ")) {
        before.append(line.substring(1)).append('\n');
        after.append(line.substring(1)).append('\n');
      }
    }
    addHunk(hunks, source, before, after);
    return new ZooBug(file, fields[0], fields[1], fields[2], fields[3], hunks);
  }

  /** The number in the list of sixty, as the file's name begins. */
  String number() {
    return name().substring(0, name().indexOf('-'));
  }

  String name() {
    String name = String.valueOf(file.getFileName());
    return name.substring(0, name.length() - ".patch".length());
  }

  boolean isCaughtBySeed() {
    return caughtBy.startsWith("seed ");
  }

  long seed() {
    return Long.parseLong(caughtBy.substring("seed ".length()));
  }

  /** The class of tests that catches it. */
  String test() {
    return caughtBy.substring("test ".length());
  }

  /** Writes down what catches it from now on. */
  void record(String newCaughtBy, String newAs) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("# caught by: ")) {
        lines.add("# caught by: " + newCaughtBy);
      } else if (line.startsWith("# as: ")) {
        lines.add("# as: " + newAs);
      } else {
        lines.add(line);
      }
    }
    Files.write(file, lines);
  }

  private static void addHunk(
      List<Hunk> hunks, String source, StringBuilder before, StringBuilder after) {
    if (before.length() + after.length() > 0) {
      hunks.add(new Hunk(source, before.toString(), after.toString()));
      before.setLength(0);
      after.setLength(0);
    }
  }
}
