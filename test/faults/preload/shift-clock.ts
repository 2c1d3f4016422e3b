/** Where there is no faketime: the wall clock of this process is off by FAULTS_CLOCK_HOURS. */
const RealDate = Date;
const offsetMs = Number(process.env.FAULTS_CLOCK_HOURS) * 3_600_000;

class ShiftedDate extends RealDate {
  constructor(...values: [] | [value: string | number]) {
    if (values.length === 0) super(RealDate.now() + offsetMs);
    else super(...values);
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
