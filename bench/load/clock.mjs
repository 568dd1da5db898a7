// CLOCK_MONOTONIC in microseconds: the same clock as Python's time.monotonic_ns(), so that processes can be compared.
export const now = () => Number(process.hrtime.bigint() / 1000n);
