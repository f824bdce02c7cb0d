// The pages of this service. A host with more pages serves its own list in place of this one.
export const pages = [
  ["/recognize.html", "Recognize"],
];
