/** Measurements, each beside the floor of the same run. Nothing here is shipped. */
@NullMarked
package dev.ashlar.benchmarks;

import org.jspecify.annotations.NullMarked;
