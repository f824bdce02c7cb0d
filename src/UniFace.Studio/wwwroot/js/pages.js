// The pages of a service with UniFace Studio, in place of the service's own list.
export const pages = [
  ["/recognize.html", "Recognize"],
  ["/training.html", "Training"],
  ["/results.html", "Results"],
  ["/lab.html", "Margin lab"],
];
