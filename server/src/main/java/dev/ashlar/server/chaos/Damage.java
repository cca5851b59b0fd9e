package dev.ashlar.server.chaos;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** Harm to the file of a member that is down, of the kinds that disks and people do. */
enum Damage {
  /** Some bytes anywhere are others. */
  FLIP {
    @Override
    String apply(FileChannel file, Random random) throws IOException {
      int count = 1 + random.nextInt(8);
      for (int i = 0; i < count; i++) {
        long at = (long) (random.nextDouble() * file.size());
        ByteBuffer one = ByteBuffer.allocate(1);
        file.read(one, at);
        file.write(one.put(0, (byte) (one.get(0) ^ (1 + random.nextInt(255)))).rewind(), at);
      }
      return count + " bytes changed";
    }
  },
  /** The end of the file is gone. */
  TRUNCATE {
    @Override
    String apply(FileChannel file, Random random) throws IOException {
      long size = (long) (random.nextDouble() * file.size());
      file.truncate(size);
      return "cut to " + size + " bytes";
    }
  },
  /** One page is all zeros. */
  ZERO_PAGE {
    @Override
    String apply(FileChannel file, Random random) throws IOException {
      long page = anyPage(file, random);
      file.write(ByteBuffer.allocate(PAGE_BYTES), page * PAGE_BYTES);
      return "page " + page + " zeroed";
    }
  },
  /** Two pages each have what belongs to the other. */
  SWAP_PAGES {
    @Override
    String apply(FileChannel file, Random random) throws IOException {
      long one = anyPage(file, random);
      long other = anyPage(file, random);
      ByteBuffer atOne = ByteBuffer.allocate(PAGE_BYTES);
      ByteBuffer atOther = ByteBuffer.allocate(PAGE_BYTES);
      file.read(atOne, one * PAGE_BYTES);
      file.read(atOther, other * PAGE_BYTES);
      file.write(atOther.rewind(), one * PAGE_BYTES);
      file.write(atOne.rewind(), other * PAGE_BYTES);
      return "pages " + one + " and " + other + " swapped";
    }
  };

  private static final int PAGE_BYTES = 4096;

  /** Does it, and says what was done. */
  static String toOneOf(Path data, Random random) throws IOException {
    Damage damage = values()[random.nextInt(3) == 0 ? random.nextInt(values().length) : 0];
    try (FileChannel file =
        FileChannel.open(
            data.resolve("data.mdb"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return damage.apply(file, random);
    }
  }

  abstract String apply(FileChannel file, Random random) throws IOException;

  private static long anyPage(FileChannel file, Random random) throws IOException {
    return (long) (random.nextDouble() * file.size()) / PAGE_BYTES;
  }
}
