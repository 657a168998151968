const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
// deno-fmt-ignore
const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];

/** What follows a per cent sign in a format of Python's `strftime`, in its C locale. */
const PARTS: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => DAYS[time.getDay()]!.slice(0, 3),
  A: (time) => DAYS[time.getDay()]!,
  b: (time) => MONTHS[time.getMonth()]!.slice(0, 3),
  B: (time) => MONTHS[time.getMonth()]!,
  d: (time) => padded(time.getDate()),
  H: (time) => padded(time.getHours()),
  I: (time) => padded((time.getHours() + 11) % 12 + 1),
  j: (time) => String(dayOfYear(time)).padStart(3, "0"),
  m: (time) => padded(time.getMonth() + 1),
  M: (time) => padded(time.getMinutes()),
  p: (time) => time.getHours() < 12 ? "AM" : "PM",
  S: (time) => padded(time.getSeconds()),
  y: (time) => padded(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  "%": () => "%",
};

/** A local time as Python's `strftime` writes it in English; unknown parts stay as they are. */
export function formatTime(time: Date, format: string): string {
  return format.replace(/%(.)/gs, (whole, letter: string) => {
    return Object.hasOwn(PARTS, letter) ? PARTS[letter]!(time) : whole;
  });
}

function padded(number: number): string {
  return String(number).padStart(2, "0");
}

function dayOfYear(time: Date): number {
  const [year, month, day] = [time.getFullYear(), time.getMonth(), time.getDate()];
  return (Date.UTC(year, month, day) - Date.UTC(year, 0, 0)) / 86_400_000;
}
