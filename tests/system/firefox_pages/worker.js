self.addEventListener("push", (event) => event.waitUntil(show(event.data.json())));

async function show(payload) {
  const options = { body: payload.body, tag: payload.collapse, data: payload.data };
  await self.registration.showNotification(payload.title, options);
  const shown = await self.registration.getNotifications();
  const notifications = shown.map(({ title, body, tag, data }) => ({ title, body, tag, data }));
  const report = { what: "shown", payload, notifications };
  await fetch("/reports", { method: "POST", body: JSON.stringify(report) });
}
