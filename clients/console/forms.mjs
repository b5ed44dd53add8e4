// A page's form as data, to send it as nobody would who uses the page.

/** Action and fields of the form that holds a button, as a browser would send them. */
export async function read(visitor, button) {
  return visitor.main.getByRole('button', { name: button }).first().evaluate(node => {
    const fields = [...new FormData(node.form, node)].map(([name, value]) => [name, String(value)]);
    return { action: node.hasAttribute('formaction') ? node.formAction : node.form.action, fields };
  });
}

/** The same form with some fields changed. */
export const changed = (form, values) => ({
  ...form,
  fields: form.fields.map(([name, value]) => [name, values[name] ?? value]),
});

/** Sends a form with the visitor's cookies and the headers that are named, and no others. */
export function send(visitor, form, headers) {
  return visitor.context.request.post(form.action, {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    data: new URLSearchParams(form.fields).toString(),
    maxRedirects: 0,
  });
}

/** What a browser adds to a form of the page itself. */
export const own = server => ({ Origin: server.origin, 'Sec-Fetch-Site': 'same-origin' });
